# The file begins with a mark. # want CON-G004 "byte order mark"
locals {
  town = "Z"
}
