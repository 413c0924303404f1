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
