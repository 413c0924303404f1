# A rollout inside a rollout would divide a batch into batches.
host "a" {
  address = "10.0.0.1"
}

runbook "a" {
  phase "web" {
    hosts = host.a
    rollout {
      batch = 1
    }
    call "b" { # want CON-R023 "rolls out itself"
      runbook = runbook.b
    }
  }
}

runbook "b" {
  phase "restart" {
    hosts = host.a
    rollout {
      batch = 1
    }
    step "restart" {
      argv = ["true"]
    }
  }
}
