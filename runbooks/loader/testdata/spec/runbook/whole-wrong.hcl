runbook "empty" { # want CON-S015 "has no items"
}

runbook "failover" {
  title      = ["a"]            # want CON-S022 "is a text"
  review_by  = "31.3.2027"      # want CON-S024 "is no date"
  failback   = runbook.failbcak # want CON-R008 "there is no runbook" at "failbcak"
  on_failure = "retry"          # want CON-S023 "cannot be"

  exercise {
    type = "drill" # want CON-S023 "cannot be"
  }
  scenario { # want CON-S014 "has no title"
  }
  exercise { # want CON-S019 "more than one exercise"
  }
  variable "a" {
    type = strnig # want CON-E017
  }
  variable "a" { # want CON-S040 "is declared twice"
  }
  variable "b" {
    type    = number
    default = 10
  }
  variable "c" {
    default = var.a # want CON-R019 "cannot be used here"
    validation {
      condition = var.b > 1 # want CON-R019 "cannot be used here"
    }
  }
  variable "Dee" { # want CON-S020 "is not a name"
  }
  objective "rto" { # want CON-S014 "has no to"
    target = "15m"
    from   = "start" # want CON-R018 "nothing sets or declares"
  }
  objective "both" { # want CON-S027 "does not say its bound"
    value = 3
  }
  objective "bounds" {
    value    = 3
    at_most  = 3
    at_least = 3 # want CON-S027 "has both"
  }
  objective "mixed" { # want CON-R018 "nothing sets or declares"
    target         = "1m"
    recovery_point = "2026-01-01T00:00:00Z"
    to             = "end" # want CON-S028 "does not go with" want CON-R018 "nothing sets or declares"
  }
  phase "work" {
    wait "moment" {
      duration = "1s"
    }
  }
  phase "work" { # want CON-S040 "is declared twice" want CON-S015 "has no items"
  }
  phase "cleanup" { # want CON-S020 "cannot be called"
    wait "again" {
      duration = "1s"
    }
  }
}

runbook "failover" { # want CON-S040 "is declared twice"
  phase "work" {
    wait "moment" {
      duration = "1s"
    }
  }
}
