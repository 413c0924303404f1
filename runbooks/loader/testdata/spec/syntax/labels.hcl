host { # want CON-S016 "host has no host name"
  address = "10.0.0.1"
}

host "a" "b" { # want CON-S017 "takes one label"
  address = "10.0.0.1"
}

host c { # want CON-S018 "is not in quotes" at "c"
  address = "10.0.0.1"
}

locals "x" { # want CON-S017 "takes no label"
}
