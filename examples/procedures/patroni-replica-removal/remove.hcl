# Drain an unhealthy replica, then wait for it or replace it. Up to the destruction of the machine everything can be
# taken back.

runbook "remove-replica" {
  title     = "Drain and replace a Patroni replica"
  service   = "registry"
  owner     = "dba@example.org"
  version   = "1.4.0"
  review_by = "2027-02-28"
  failback  = runbook.restore-replica

  variable "target" {
    type        = host
    description = "The replica to remove, by name."
  }
  variable "terraform_dir" {
    type    = string
    default = "/srv/terraform/registry-db"
  }

  objective "drained" {
    target = "15m"
    from   = "drain-begun"
    to     = "drained"
  }

  phase "confirm" {
    hosts  = var.target
    become = "postgres"

    check "is-a-replica" {
      argv = ["psql", "-XAtqc", "select pg_is_in_recovery()"]
      expect {
        condition = result.stdout == "t"
        message   = "${self.name} is the primary: switch over first"
      }
    }
  }

  phase "drain" {
    hosts  = var.target
    become = "root"

    step "freeze-configuration" {
      argv        = ["chef-client-disable", "removing this replica, run ${run.id}"]
      timeout     = "1m"
      idempotent  = true
      marks_start = ["drain-begun"]
      rollback { argv = ["chef-client-enable"] }
    }
    step "tag" {
      script  = file("scripts/set-tags.sh")
      env     = { TAGS = "nofailover: true\nnoloadbalance: true" }
      timeout = "1m"
      unless {
        argv = ["grep", "-q", "noloadbalance: true", "/etc/patroni/patroni.yml"]
      }
      verify {
        argv = ["patronictl", "list", "-f", "json"]
        expect {
          condition = anytrue([for m in jsondecode(result.stdout) : try(m.Tags.noloadbalance, false) if m.Member == self.name])
          message   = "the tags are not in effect yet"
        }
        poll {
          every  = "5s"
          within = "1m"
        }
      }
      rollback {
        script = file("scripts/set-tags.sh")
        env    = { TAGS = "" }
      }
    }
    check "out-of-discovery" {
      hosts  = control
      become = ""
      argv   = ["dig", "+short", "db-replica.service.consul", "SRV"]
      expect {
        condition = !strcontains(result.stdout, var.target.name)
        message   = "still in service discovery"
      }
      poll {
        every  = "5s"
        within = "2m"
      }
    }
    check "clients-gone" {
      hosts    = group.pgbouncer
      become   = "postgres"
      argv     = ["pgbouncer-clients", var.target.address]
      severity = "finding"
      capture "clients" {
        value = result.stdout
        type  = number
      }
      expect_all {
        condition = sum([for r in values(results) : r.clients]) == 0
        message   = "clients are still connected through the poolers"
      }
      poll {
        every  = "10s"
        within = "5m"
      }
      marks = ["drained"]
    }
    decision "clients-remain" {
      when     = !check.clients-gone.ok
      question = "Clients are still connected after five minutes. Go on and cut them off?"
      role     = role.dba
      options  = ["cut off", "stop here"]
      stops    = ["stop here"]
    }
  }

  phase "choose" {
    decision "next" {
      question = "Wait for the replica to recover (days), or replace it (hours)?"
      role     = role.dba
      options  = ["wait", "replace"]
    }
  }

  phase "replace" {
    when = decision.next.choice == "replace"

    step "stop-service" {
      hosts      = var.target
      become     = "root"
      argv       = ["systemctl", "disable", "--now", "patroni"]
      timeout    = "2m"
      idempotent = true
      rollback { argv = ["systemctl", "enable", "--now", "patroni"] }
    }
    gate "destroy" {
      question  = "Destroy ${var.target.name} and its disks? This cannot be taken back."
      role      = role.infrastructure
      approvals = 1
      expires   = "1h"
      typed     = var.target.name
    }
    step "destroy" {
      hosts        = control
      argv         = ["/usr/local/bin/destroy-vm", "--with-disks", var.target.name]
      requires     = [gate.destroy]
      timeout      = "10m"
      irreversible = true
      verify {
        argv          = ["/usr/local/bin/show-vm", var.target.name]
        success_codes = [3]
      }
    }
    step "plan-new" {
      hosts       = control
      working_dir = var.terraform_dir
      argv        = ["terraform", "plan", "-input=false", "-out=replace.tfplan"]
      timeout     = "10m"
      verify {
        argv = ["terraform", "show", "-json", "replace.tfplan"]
        expect {
          condition = length([for c in jsondecode(result.stdout).resource_changes : c if c.change.actions == ["create"]]) == 3
          message   = "the plan does not create exactly three resources"
        }
      }
    }
    step "create" {
      hosts       = control
      working_dir = var.terraform_dir
      argv        = ["terraform", "apply", "-input=false", "replace.tfplan"]
      timeout     = "1h"
      requires    = [gate.destroy]
      verify {
        argv = ["terraform", "plan", "-input=false", "-detailed-exitcode"] # 2: something is still to be done
      }
    }
  }
}

runbook "restore-replica" {
  title     = "Put a drained replica back"
  service   = "registry"
  owner     = "dba@example.org"
  version   = "1.0.0"
  review_by = "2027-02-28"
  failback  = runbook.remove-replica

  variable "target" { type = host }

  objective "back" {
    target = "10m"
    from   = "begun"
    to     = "serving"
  }

  phase "restore" {
    hosts  = var.target
    become = "root"

    step "remove-tags" {
      script      = file("scripts/set-tags.sh")
      env         = { TAGS = "" }
      timeout     = "1m"
      idempotent  = true
      marks_start = ["begun"]
      rollback {
        script = file("scripts/set-tags.sh")
        env    = { TAGS = "nofailover: true\nnoloadbalance: true" }
      }
    }
    step "thaw-configuration" {
      argv       = ["chef-client-enable"]
      timeout    = "1m"
      idempotent = true
      rollback { argv = ["chef-client-disable", "taken back"] }
    }
    check "in-discovery" {
      hosts  = control
      become = ""
      argv   = ["dig", "+short", "db-replica.service.consul", "SRV"]
      expect {
        condition = strcontains(result.stdout, var.target.name)
        message   = "not in service discovery yet"
      }
      poll {
        every  = "5s"
        within = "5m"
      }
      marks = ["serving"]
    }
  }
}
