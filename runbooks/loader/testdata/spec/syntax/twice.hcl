host "a" {
  address = "10.0.0.1"
  address = "10.0.0.2" # want CON-S004 "address is set twice" at "address"
}
