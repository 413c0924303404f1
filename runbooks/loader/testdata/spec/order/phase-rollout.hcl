# A phase with hosts and rollout runs all its items for one batch, then for the next; batch is the list of its hosts.
fleet "web" {
  for_each = ["web1", "web2", "web3"]
  name     = each.value
  address  = each.value
}

host "lb" {
  address = "lb"
}

runbook "r" {
  phase "restart" {
    hosts = group.web
    rollout {
      batch        = [1, "50%"]
      max_failures = 0
      pause        = "10s"
      after_batch {
        hosts = host.lb
        argv  = ["errors", "--of", join(",", [for h in batch : h.name])]
        expect {
          condition = result.stdout == "0"
          message   = "the balancer reports errors"
        }
      }
    }
    step "drain" {
      hosts    = host.lb
      for_each = batch
      argv     = ["drain", each.value.name]
    }
    step "restart" {
      argv = ["systemctl", "restart", "web"]
    }
    manual "look" {
      instructions = "Look at ${join(", ", [for h in batch : h.name])}."
    }
  }
}
