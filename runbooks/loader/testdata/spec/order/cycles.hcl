# A circle names every item; here one of after, one of a reference, and one of the order of writing.
runbook "explicit" {
  phase "one" {
    wait "a" {
      duration = "1s"
      after    = [wait.c] # want CON-R016 "wait.a → wait.c → wait.b → wait.a"
    }
    wait "b" {
      duration = "1s"
      after    = [wait.a]
    }
    wait "c" {
      duration = "1s"
      after    = [wait.b]
    }
  }
}

runbook "written" {
  phase "one" {
    assert "first" {
      condition = check.up.ok # want CON-R016 "assert.first → check.up → assert.first"
    }
    check "up" {
      hosts = control
      argv  = ["true"]
    }
  }
}

runbook "through-a-local" {
  locals {
    up = check.up.ok
  }
  phase "one" {
    assert "first" {
      condition = local.up # want CON-R016 "assert.first → check.up → assert.first"
    }
    check "up" {
      hosts = control
      argv  = ["true"]
    }
  }
}
