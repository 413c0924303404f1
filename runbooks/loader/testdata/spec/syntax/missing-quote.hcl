project "p" {
  # want-next CON-S002 "is not closed on its line"
  environment = "staging
}
