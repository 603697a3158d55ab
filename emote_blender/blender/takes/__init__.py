"""Takes of a head: raw motion kept on an action, f-curves written from it, and NLA strips that place them."""
