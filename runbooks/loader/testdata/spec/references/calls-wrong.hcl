runbook "a" {
  phase "p" {
    call "b" { # want CON-R022 "runbook.a → runbook.b → runbook.a"
      runbook = runbook.b
    }
  }
}

runbook "b" {
  phase "p" {
    call "a" {
      runbook = runbook.a
    }
    call "c" {
      runbook = runbook.d # want CON-R008 "there is no runbook" at "d"
    }
    call "d" {
      runbook = "a" # want CON-R010 "is a reference to a runbook"
    }
    call "e" { # want CON-S014 "has no runbook"
    }
  }
}

runbook "child" {
  variable "name" {}
  variable "size" {
    default = 1
  }
  phase "p" {
    wait "w" {
      duration = "1s"
    }
  }
}

runbook "parent" {
  phase "p" {
    call "one" { # want CON-S014 "gives no value for variable"
      runbook = runbook.child
    }
    call "two" {
      runbook   = runbook.child
      variables = { name = "x", sise = 2 } # want CON-R002 "has no variable" at "sise"
    }
    call "three" {
      runbook   = runbook.child
      variables = { name = "x", size = 2 }
    }
  }
}
