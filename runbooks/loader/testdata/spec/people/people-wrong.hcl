role "dba" {
  members = ["alice@example.org"]
}

runbook "r" {
  phase "one" {
    gate "go" {
      question  = "Go?"
      role      = "dba" # want CON-R010 "is a reference to a role"
      approvals = 2
    }
    gate "two" {
      question  = "Go?"
      role      = role.dba
      approvals = 2          # want CON-S026 "has 1 members"
      recheck   = [gate.go]  # want CON-R010 "list of references to checks"
    }
    gate "three" { # want CON-S014 "has no role"
      question = "Go?"
    }
    decision "one" {
      question = "?"
      options  = ["yes"] # want CON-S026 "fewer than two options"
      role     = role.dab # want CON-R006 "there is no role" at "dab"
    }
    decision "twice" {
      question = "?"
      options  = ["yes", "yes"] # want CON-S026 "twice or empty"
    }
    decision "stops" {
      question = "?"
      options  = ["yes", "no"]
      stops    = ["nope"] # want CON-S023 "cannot be"
    }
    step "x" {
      hosts    = control
      argv     = ["true"]
      requires = [gate.og]    # want CON-R012 "unknown gate" at "og"
    }
    manual "m" {
      instructions = "x"
      people       = 0 # want CON-S026 "not from 1 to 20"
      input "a" {
      }
      input "a" { # want CON-S040 "is declared twice"
      }
      input "b" {
        validation {
          condition = var.a != "" # want CON-R019 "cannot be used here"
        }
      }
    }
  }
}
