# Everything that a runbook itself can say.
runbook "failover" {
  title        = "Fail over"
  service      = "payments"
  owner        = "sre@example.org"
  version      = "2.1.0"
  review_by    = "2027-03-31"
  failback     = runbook.failback
  on_failure   = "stop"
  update_every = "30m"

  exercise {
    type              = "switchover"
    production_impact = "switchover"
  }
  scenario {
    title       = "Loss of site A"
    severity    = "severe"
    assumptions = ["site B has power"]
  }
  variable "max_lag" {
    description = "seconds"
    type        = number
    default     = 30
    validation {
      condition = var.max_lag > 0
      message   = "must be positive, not ${var.max_lag}"
    }
  }
  variable "target" {
    type    = host
    default = "db"
  }
  variable "words" {
    type    = list(string)
    default = ["a", "b"]
  }
  variable "token" {
    sensitive = true
  }
  locals {
    limit = var.max_lag * 2
  }
  mark "disruption" {}
  mark "found" {
    at = check.lag.started_at
  }
  objective "rto" {
    target = "15m"
    from   = "disruption"
    to     = "recovered"
  }
  objective "rpo" {
    target         = "1m"
    recovery_point = check.lag.stdout
  }
  objective "rows" {
    value    = check.lag.number
    at_least = 1
  }
  objective "loss" {
    value   = check.lag.number
    at_most = 0
  }
  output "lag" {
    value = check.lag.number
  }
  phase "assess" {
    title      = "Look first"
    owner      = "dba"
    when       = var.max_lag > 1
    on_failure = "continue"
    check "lag" {
      hosts = var.target
      argv  = ["lag"]
      capture "number" {
        value = result.stdout
        type  = number
      }
      expect {
        condition = result.number < local.limit
      }
      marks = ["recovered"]
    }
  }
}

runbook "failback" {
  phase "work" {
    wait "moment" {
      duration = "1s"
    }
  }
}

host "db" {
  address = "10.0.0.1"
}
