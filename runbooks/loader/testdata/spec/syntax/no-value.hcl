host "a" {
  address = # want CON-S001 "a value is expected here"
}
