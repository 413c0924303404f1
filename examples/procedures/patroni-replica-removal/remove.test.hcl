test "a drained replica is replaced" {
  runbook   = "remove-replica"
  variables = { target = "patroni-04" }

  on "check.is-a-replica" { stdout = "t" }
  on "step.tag.unless" { exit_code = 1 }
  on "step.tag.verify" { stdout = jsonencode([{ Member = "patroni-04", Tags = { noloadbalance = true } }]) }
  on "check.out-of-discovery" { stdout = ["1 1 5432 patroni-04.node.consul.", "1 1 5432 patroni-03.node.consul."] }
  on "check.clients-gone" { stdout = ["12", "0"] }
  on "decision.next" { choose = "replace" }
  on "step.destroy.verify" { exit_code = 3 }
  on "step.plan-new.verify" {
    stdout = jsonencode({ resource_changes = [for n in ["vm", "data", "log"] : { address = n, change = { actions = ["create"] } }] })
  }

  expect { condition = run.verdict == "passed" }
  expect { condition = run.objectives.drained.met }
  expect { condition = !decision.clients-remain.started }
}

test "the primary is never drained" {
  runbook   = "remove-replica"
  variables = { target = "patroni-04" }

  on "check.is-a-replica" { stdout = "f" }

  expect { condition = run.verdict == "failed" && !step.freeze-configuration.started }
}

test "clients that stay are a person's decision" {
  runbook   = "remove-replica"
  variables = { target = "patroni-04" }

  on "check.is-a-replica" { stdout = "t" }
  on "step.tag.unless" { exit_code = 1 }
  on "step.tag.verify" { stdout = jsonencode([{ Member = "patroni-04", Tags = { noloadbalance = true } }]) }
  on "check.clients-gone" { stdout = "3" }
  on "decision.clients-remain" { choose = "stop here" }

  expect { condition = run.verdict == "failed" }
  expect { condition = decision.clients-remain.choice == "stop here" }
  expect { condition = !decision.next.started }
}

test "a plan that creates anything but three things destroys nothing more" {
  runbook   = "remove-replica"
  variables = { target = "patroni-04" }

  on "check.is-a-replica" { stdout = "t" }
  on "step.tag.unless" { exit_code = 1 }
  on "step.tag.verify" { stdout = jsonencode([{ Member = "patroni-04", Tags = { noloadbalance = true } }]) }
  on "check.clients-gone" { stdout = "0" }
  on "decision.next" { choose = "replace" }
  on "step.destroy.verify" { exit_code = 3 }
  on "step.plan-new.verify" { stdout = jsonencode({ resource_changes = [{ address = "vm", change = { actions = ["create"] } }] }) }

  expect { condition = run.verdict == "failed" && !step.create.started }
}

test "a replica that is to be kept gets its clients back" {
  runbook   = "restore-replica"
  variables = { target = "patroni-04" }

  on "check.in-discovery" { stdout = ["", "1 1 5432 patroni-04.node.consul."] }

  expect { condition = run.verdict == "passed" }
}
