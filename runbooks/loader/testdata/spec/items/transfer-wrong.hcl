runbook "r" {
  phase "one" {
    transfer "none" { # want CON-S027 "does not say what to put there" want CON-S014 "has no destination"
      hosts = control
    }
    transfer "two" {
      hosts       = control
      source      = "missing.txt" # want CON-P005 "missing.txt"
      content     = "x"           # want CON-S027 "has both source and content"
      destination = "relative"    # want CON-S030 "is not absolute"
      mode        = "rw-r--r--"   # want CON-S026 "is no file mode"
    }
    transfer "out" {
      hosts       = control
      source      = "../x" # want CON-P004 "lies outside the project"
      destination = "/x"
    }
  }
}
