# Files are UTF-8.
locals {
  town = "Zürich" # want CON-G003 "UTF-8"
}
