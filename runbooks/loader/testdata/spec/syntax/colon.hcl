host "a" {
  address: "10.0.0.1" # want CON-S001 "is expected here"
}
