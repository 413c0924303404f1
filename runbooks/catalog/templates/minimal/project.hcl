project "example" {
  environment = "lab"
}
