# Nothing outside the project is read.
runbook "r" {
  phase "p" {
    step "a" {
      hosts  = control
      script = file("../secrets.sh") # want CON-E013 "lies outside the project"
    }
    step "b" {
      hosts  = control
      script = file("/etc/profile") # want CON-E013 "lies outside the project"
    }
    step "c" {
      hosts  = control
      script = file("missing.sh") # want CON-E013 "missing.sh"
    }
    step "d" {
      hosts  = control
      script = file("~/x.sh") # want CON-E013 "lies outside the project"
    }
  }
}
