# Defaults are of the declared type; a variable without a type is a text.
host "db" {
  address = "10.0.0.1"
}

runbook "r" {
  variable "number" {
    type    = number
    default = "10" # want CON-T008 "is string, not number"
  }
  variable "flag" {
    type    = bool
    default = "yes" # want CON-T008 "is string, not bool"
  }
  variable "list" {
    type    = list(string)
    default = "a" # want CON-T008 "is string, not list(string)"
  }
  variable "object" {
    type    = object({ a = string, b = number })
    default = { a = "x", b = 1 }
  }
  variable "text" {
    default = 3
  }
  variable "host" {
    type    = host
    default = "bd" # want CON-T008 "there is no host"
  }
  variable "hosts" {
    type    = list(host)
    default = ["db"]
  }
  variable "positive" {
    type    = number
    default = 1
    validation {
      condition = var.positive # want CON-T001 "true or false is expected"
      message   = ["x"]        # want CON-T002 "a text is expected"
    }
  }
  phase "p" {
    wait "w" {
      duration = "1s"
    }
  }
}
