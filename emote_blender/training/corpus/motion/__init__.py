"""Motion of the open head from phones, loudness and emotion."""
