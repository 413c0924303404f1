role "dba" {
  members = ["alice@example.org", "bob@example.org"]
}

runbook "r" {
  phase "one" {
    check "dark" {
      tcp {
        address = "10.0.0.1:22"
      }
    }
    gate "go" {
      question     = "Go?"
      role         = role.dba
      approvals    = 2
      expires      = "30m"
      start_within = "10m"
      recheck      = [check.dark]
      typed        = "go"
    }
    decision "how" {
      question = "Wait or replace?"
      options  = ["wait", "replace", "back-out"]
      stops    = ["back-out"]
      role     = role.dba
      expires  = "1h"
    }
    manual "call" {
      instructions = "Call the data centre."
      role         = role.dba
      people       = 2
      rollback     = "Call again."
      input "ticket" {
        type = number
        validation {
          condition = var.ticket > 0
          message   = "a number, not ${var.ticket}"
        }
      }
      input "code" {
        sensitive = true
      }
    }
    step "act" {
      hosts    = control
      argv     = ["echo", "${manual.call.inputs.ticket}", decision.how.choice]
      requires = [gate.go]
      when     = decision.how.choice == "replace"
    }
    assert "who" {
      condition = length(gate.go.approved_by) == 2
    }
  }
}
