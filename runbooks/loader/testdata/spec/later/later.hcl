# What the executor cannot execute yet is refused, never ignored.
role "dba" {
  members = ["alice@example.org", "bob@example.org"]
}

secret "typed" {
  prompt = true # want CON-L001 "in a later version"
}

fleet "web" {
  for_each = ["a", "b"]
  name     = "web-${each.value}"
  address  = "10.0.0.1"
}

runbook "r" {
  phase "p" {
    gate "go" { # want CON-L001 "gates come in a later version"
      question = "Go?"
      role     = role.dba
    }
    step "s" {
      hosts      = group.web
      argv       = ["true"]
      on_failure = "rollback"      # want CON-L001 "in a later version"
      tolerate   = ["unreachable"] # want CON-L001 "in a later version"
      rollback { # want CON-L001 "rollbacks come in a later version"
        argv = ["true"]
      }
    }
  }
}
