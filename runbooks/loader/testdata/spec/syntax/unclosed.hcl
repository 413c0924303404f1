host "a" { # want CON-S001 "the block is not closed"
  address = "10.0.0.1"
