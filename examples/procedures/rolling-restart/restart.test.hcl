test "all of them are restarted, a quarter at a time" {
  runbook = "rolling-restart"

  on "step.restart" { delay = "5s" }

  expect { condition = run.verdict == "passed" }
  expect { condition = length(step.restart.by_host) == 200 }
  expect { condition = alltrue([for name, host in step.restart.by_host : host.ok]) }
  expect { condition = step.undrain.ok }
}

test "a host that does not come back healthy stays drained" {
  runbook = "rolling-restart"

  # One of the first quarter: the rollout bears it, but nobody puts it back among the others.
  on "step.restart.verify" {
    host      = "web-010"
    exit_code = 22
  }

  expect { condition = run.verdict == "failed" }
  expect { condition = !step.restart.by_host["web-010"].ok }
  expect { condition = step.restart.by_host["web-200"].ok }
  expect { condition = step.drain.by_key["web-010"].ok }
  expect { condition = !can(step.undrain.by_key["web-010"]) }
  expect { condition = step.undrain.by_key["web-011"].ok }
}

test "nothing goes on after a bad first host" {
  runbook = "rolling-restart"

  on "step.restart" {
    host      = "web-001"
    exit_code = 1
  }

  expect { condition = run.verdict == "failed" }
  expect { condition = !step.undrain.started }
  expect { condition = step.restart.by_host["web-002"].outcome == "not-reached" }
}
