# Recover from the loss of a zone. The parent decides the scope; each team has its lane and its own runbook.

runbook "zone-lost" {
  title        = "Recover from the loss of a zone"
  service      = "platform"
  owner        = "major-incident@example.org"
  version      = "1.1.0"
  review_by    = "2027-06-30"
  failback     = runbook.zone-back
  update_every = "30m"

  exercise {
    type              = "functional"
    production_impact = "degraded"
  }
  scenario {
    title       = "Zone d is dark"
    severity    = "severe"
    assumptions = ["the other zones have capacity for 150 % of normal load"]
  }

  variable "zone" {
    type    = string
    default = "d"
  }
  variable "max_snapshot_age_h" {
    type    = number
    default = 6
  }

  mark "declared" {}

  objective "rto" {
    target = "2h"
    from   = "declared"
    to     = "verified"
  }
  objective "provisioning" {
    value   = call.database.outputs.slowest_s
    at_most = 1800
  }

  phase "scope" {
    decision "symptoms" {
      question = "What does the symptoms table say?"
      role     = role.major-incident-manager
      options  = ["whole zone", "network only"]
    }
    assert "not-a-network-event" {
      condition = decision.symptoms.choice == "whole zone"
      message   = "a network event has a runbook of its own"
    }
  }

  phase "recover" {
    lane "traffic" {
      owner = "traffic@example.org"
      call "drain" {
        runbook   = runbook.drain-zone
        variables = { zone = var.zone }
      }
    }
    lane "database" {
      owner = "database@example.org"
      call "database" {
        runbook   = runbook.replace-replicas
        variables = { zone = var.zone, max_snapshot_age_h = var.max_snapshot_age_h }
      }
    }
    lane "communication" {
      owner = "communication@example.org"
      manual "status-page" {
        instructions = "Say on the status page that a zone is lost, what customers see, and when the next update comes."
        owner        = "communication@example.org"
      }
    }
  }

  phase "verify" {
    check "front-page" {
      http { url = "https://www.example.org/" }
      poll {
        every  = "10s"
        within = "10m"
      }
      marks = ["verified"]
    }
    manual "confidence" {
      instructions = "Set the confidence level of this procedure from what was seen, and fill the measurement table."
      owner        = "major-incident@example.org"
    }
  }
}

runbook "drain-zone" {
  title     = "Take a zone out of the load balancers"
  service   = "platform"
  owner     = "traffic@example.org"
  version   = "1.0.0"
  review_by = "2027-06-30"
  failback  = runbook.zone-back

  variable "zone" { type = string }

  objective "drain" {
    target = "10m"
    from   = "drain-begun"
    to     = "drained"
  }

  phase "drain" {
    hosts  = group.balancers
    become = "root"

    step "drain" {
      script      = file("scripts/haproxy.sh")
      interpreter = ["/bin/bash", "-euo", "pipefail"]
      env         = { STATE = "drain", ZONE = var.zone }
      timeout     = "1m"
      idempotent  = true
      marks_start = ["drain-begun"]
      rollout { batch = "100%" }
      rollback {
        script = file("scripts/haproxy.sh")
        env    = { STATE = "ready", ZONE = var.zone }
      }
    }
    check "sessions-gone" {
      script      = file("scripts/sessions.sh")
      interpreter = ["/bin/bash", "-euo", "pipefail"]
      env         = { ZONE = var.zone }
      capture "sessions" {
        value = result.stdout
        type  = number
      }
      expect {
        condition = result.sessions == 0
        message   = "${result.sessions} sessions are still open on ${self.name}"
      }
      poll {
        every  = "5s"
        within = "8m"
      }
      marks = ["drained"]
    }
  }
}

runbook "replace-replicas" {
  title     = "Provision database replicas outside the lost zone"
  service   = "platform"
  owner     = "database@example.org"
  version   = "1.0.0"
  review_by = "2027-06-30"
  failback  = runbook.zone-back

  variable "zone" { type = string }
  variable "max_snapshot_age_h" { type = number }

  locals {
    lost = [for h in group.replicas : h.name if h.site == var.zone]
  }

  objective "replicas" {
    target = "90m"
    from   = "begun"
    to     = "serving"
  }

  output "slowest_s" { value = max([for r in values(step.provision.by_key) : r.seconds]...) }

  phase "provision" {
    check "snapshot-age" {
      hosts = control
      argv  = ["/usr/local/bin/snapshot-age", "--hours"]
      capture "hours" {
        value = result.stdout
        type  = number
      }
      expect {
        condition = result.hours <= var.max_snapshot_age_h
        message   = "the newest snapshot is ${result.hours} h old"
      }
    }
    step "provision" {
      for_each      = toset(local.lost)
      parallel_each = 4
      hosts         = control
      argv          = ["/usr/local/bin/provision-replica", each.value, "--not-in", var.zone]
      timeout       = "1h"
      marks_start   = ["begun"]
      capture "seconds" {
        value = result.stdout
        type  = number
      }
      verify { argv = ["/usr/local/bin/show-replica", each.value] }
      rollback { argv = ["/usr/local/bin/destroy-replica", each.value] }
    }
    check "replicas-stream" {
      hosts = [for h in group.replicas : h if h.site != var.zone]
      argv  = ["/usr/local/bin/replica-lag-s"]
      expect {
        condition = tonumber(result.stdout) < 10
        message   = "${self.name} lags ${result.stdout} s"
      }
      poll {
        every  = "10s"
        within = "25m"
      }
      marks = ["serving"]
    }
  }
}

runbook "zone-back" {
  title     = "Put a zone back into service"
  service   = "platform"
  owner     = "traffic@example.org"
  version   = "1.0.0"
  review_by = "2027-06-30"
  failback  = runbook.zone-lost

  variable "zone" {
    type    = string
    default = "d"
  }

  objective "back" {
    target = "30m"
    from   = "begun"
    to     = "balanced"
  }

  phase "return" {
    gate "return" {
      question  = "Put zone ${var.zone} back into service?"
      role      = role.major-incident-manager
      approvals = 1
      expires   = "1h"
    }
    step "ready" {
      hosts       = group.balancers
      become      = "root"
      script      = file("scripts/haproxy.sh")
      interpreter = ["/bin/bash", "-euo", "pipefail"]
      env         = { STATE = "ready", ZONE = var.zone }
      requires    = [gate.return]
      timeout     = "1m"
      idempotent  = true
      marks_start = ["begun"]
      marks       = ["balanced"]
      rollout {
        batch = 1
        pause = "1m"
      }
      rollback {
        script = file("scripts/haproxy.sh")
        env    = { STATE = "drain", ZONE = var.zone }
      }
    }
  }
}
