locals {
  list = ["a" "b"] # want CON-S001 "a comma is missing"
}
