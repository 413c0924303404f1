# A phase's own expressions are evaluated before it begins.
runbook "r" {
  phase "one" {
    when = check.a.ok # want CON-R013 "stands in it"
    check "a" {
      hosts = control
      argv  = ["true"]
    }
  }
  phase "two" {
    when = check.a.ok
    check "b" {
      hosts = control
      argv  = ["true"]
    }
  }
  phase "three" {
    when = check.d.ok # want CON-R013 "stands in a later phase"
    check "c" {
      hosts = control
      argv  = ["true"]
    }
  }
  phase "four" {
    check "d" {
      hosts = control
      argv  = ["true"]
    }
  }
}
