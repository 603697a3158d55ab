"""From one basis of expressions to another: which coefficients a head can show."""
