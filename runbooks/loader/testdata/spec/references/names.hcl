# Each kind of name, and where it has a meaning.
host "web1.example.org" {
  address = "10.0.0.1"
}

role "dba" {
  members = ["alice@example.org"]
}

runbook "r" {
  variable "v" {
    default = "x"
  }
  phase "p" {
    check "c" {
      hosts    = host["web1.example.org"]
      for_each = ["a"]
      argv     = ["echo", var.v, self.name, each.key, run.id, run.mode, run.operator, run.incident, run.change, run.started_at]
      expect {
        condition = result.exit_code == 0 && self.address != "" && each.value == "a"
      }
      expect_all {
        condition = length(results) == 1
      }
    }
    assert "roles" {
      condition = contains(role.dba.members, "alice@example.org") && length(inventory) == 1 && control.name == "control"
    }
    assert "absent" {
      condition = try(check.c.by_key["a"].by_host["web1.example.org"].stdout, "") == "" || check.c.ok || check.c.started || check.c.outcome == "failed"
    }
  }
}
