role "dba" {
  members = ["alice@example.org"]
}

runbook "r" {
  phase "p" {
    wait "w" {
      duration = "1s"
    }
  }
  cleanup {
    when = true # want CON-S011 "has no attribute"
    gate "go" { # want CON-S034 "a gate cannot stand in cleanup"
      question = "?"
      role     = role.dba
    }
    step "unlock" {
      hosts        = control
      argv         = ["true"]
      irreversible = true       # want CON-S034 "irreversible cannot stand in cleanup"
      on_failure   = "continue" # want CON-S034 "on_failure cannot stand in cleanup"
    }
    wait "w" { # want CON-S040 "is declared twice"
      duration = "1s"
    }
  }
}

runbook "empty" {
  phase "p" {
    wait "w" {
      duration = "1s"
    }
  }
  cleanup { # want CON-S015 "cleanup has no items"
  }
}
