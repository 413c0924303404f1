runbook "r" {
  phase "one" {
    check "a" {
      hosts = control
      argv  = ["true"]
      after = ["check.b"] # want CON-R010 "is a list of references"
    }
    check "b" {
      hosts = control
      argv  = ["true"]
      after = check.a # want CON-R010 "is a list of references"
    }
    check "c" {
      hosts = control
      argv  = ["true"]
      after = [check.a.ok] # want CON-R010 "is a list of references"
    }
    check "d" {
      hosts = control
      argv  = ["true"]
      after = [check.x] # want CON-R012 "refers to an unknown check" at "x"
    }
    check "e" {
      hosts = control
      argv  = ["true"]
      after = [check.later] # want CON-R013 "stands in a later phase" at "check.later"
    }
    check "f" {
      hosts = control
      argv  = ["true"]
      after = [step.unlock] # want CON-R014 "stands in cleanup"
    }
    check "g" {
      hosts = control
      argv  = ["true"]
      after = [check.g] # want CON-R015 "refers to itself"
    }
    check "h" {
      hosts = control
      argv  = ["true"]
      after = [step.a] # want CON-R012 "refers to an unknown step"
    }
  }
  phase "two" {
    check "later" {
      hosts = control
      argv  = ["true"]
    }
  }
  cleanup {
    step "unlock" {
      hosts = control
      argv  = ["true"]
    }
  }
}
