# after takes references; [] starts with the phase; references add edges by themselves; earlier phases may be named.
runbook "r" {
  phase "one" {
    check "a" {
      hosts = control
      argv  = ["true"]
    }
    check "b" {
      hosts = control
      argv  = ["true"]
      after = []
    }
    check "c" {
      hosts = control
      argv  = ["echo", check.b.stdout]
      after = [check.a]
    }
  }
  phase "two" {
    step "d" {
      hosts = control
      argv  = ["echo", check.c.stdout]
      after = [check.a]
    }
  }
  cleanup {
    step "e" {
      hosts = control
      argv  = ["rm", step.d.stdout]
    }
  }
}
