test "DC2 takes over" {
  runbook = "promote-dc2"

  before {
    started_at = "2026-11-21T03:10:00Z"
    marks      = { disruption = "2026-11-21T03:00:00Z", declared = "2026-11-21T03:08:00Z" }
  }

  on "check.standby-leader" { stdout = jsonencode([{ Member = "pg-2b", Role = "Standby Leader" }, { Member = "pg-2a", Role = "Replica" }]) }
  on "check.last-replay" { stdout = "1795229970" }
  on "check.dc1-is-dark" { state = "no-answer" }
  on "manual.power-off" {
    done_by = ["dan@example.org", "eve@example.org"]
    inputs  = { how_we_know = "Both boards report power off." }
  }
  on "step.leave-standby.verify" { stdout = ["t", "t", "f"] }
  on "check.one-leader" { stdout = jsonencode([{ Member = "pg-2b", Role = "Leader" }]) }
  on "check.application-writes" { status = [503, 200] }

  expect { condition = run.verdict == "passed" }
  expect { condition = step.leave-standby.by_host["pg-2b"].ok }
  expect { condition = run.objectives.rto.met && run.objectives.rpo.met }
}

test "as long as DC1 answers, nobody is asked to promote" {
  runbook = "promote-dc2"

  on "check.standby-leader" { stdout = jsonencode([{ Member = "pg-2b", Role = "Standby Leader" }]) }
  on "check.last-replay" { stdout = "1795229970" }
  on "check.dc1-is-dark" {
    host  = "lb-2a"
    state = "open"
  }

  expect { condition = run.verdict == "failed" }
  expect { condition = !gate.promote.started && !step.leave-standby.started }
}

test "DC1 comes back while people approve: the approval opens nothing" {
  runbook = "promote-dc2"

  on "check.standby-leader" { stdout = jsonencode([{ Member = "pg-2b", Role = "Standby Leader" }]) }
  on "check.last-replay" { stdout = "1795229970" }
  on "check.dc1-is-dark" { state = ["no-answer", "open"] }
  on "manual.power-off" {
    done_by = ["dan@example.org", "eve@example.org"]
    inputs  = { how_we_know = "Both boards report power off." }
  }

  expect { condition = run.verdict == "failed" }
  expect { condition = gate.promote.started && !step.leave-standby.started }
}

test "DC1 becomes the standby again, and takes over" {
  runbook = "return-to-dc1"

  on "decision.rebuild" { choose = "rewind" }
  on "check.dc1-follows" { stdout = ["0", "1"] }
  on "step.switchover.verify" { stdout = "t" }

  expect { condition = run.verdict == "passed" }
  expect { condition = step.rebuild.outcome == "skipped" }
}
