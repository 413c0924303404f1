locals {
  no = !!!!!!!!!!!!true # want CON-G009 "unary"
}
