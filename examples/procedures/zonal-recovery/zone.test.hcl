test "a zone is lost and three teams make up for it" {
  runbook = "zone-lost"

  before {
    started_at = "2026-11-21T03:00:00Z"
    marks      = { declared = "2026-11-21T02:50:00Z" }
  }

  on "decision.symptoms" { choose = "whole zone" }
  on "call.drain.check.sessions-gone" { stdout = ["40", "0"] }
  on "call.database.check.snapshot-age" { stdout = "2" }
  on "call.database.step.provision" {
    stdout = "840"
    delay  = "14m"
  }
  on "call.database.check.replicas-stream" { stdout = ["60", "2"] }
  on "check.front-page" { status = [502, 200] }

  expect { condition = run.verdict == "passed" }
  expect { condition = run.objectives.provisioning.achieved_s == 840 }
  expect { condition = call.database.outputs.slowest_s == 840 }
}

test "a network event is no reason to move anything" {
  runbook = "zone-lost"

  on "decision.symptoms" { choose = "network only" }

  expect { condition = run.verdict == "failed" && !call.drain.started }
}

test "an old snapshot stops the database team, not the others" {
  runbook = "zone-lost"

  on "decision.symptoms" { choose = "whole zone" }
  on "call.drain.check.sessions-gone" { stdout = "0" }
  # By then the load balancers are being drained: what has begun ends.
  on "call.database.check.snapshot-age" {
    stdout = "9"
    delay  = "5s"
  }

  expect { condition = run.verdict == "failed" }
  expect { condition = !call.database.step.provision.started }
  expect { condition = call.drain.step.drain.ok }
}

test "the zone comes back, one load balancer after the other" {
  runbook = "zone-back"

  expect { condition = run.verdict == "passed" }
}
