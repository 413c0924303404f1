# The smallest runbook that is worth running: it looks, changes one thing, looks again, and cleans up.

runbook "example" {
  title   = "Write a note and read it back"
  owner   = "you"
  version = "0.1.0"

  objective "duration" {
    target = "1m"
    from   = "begun"
    to     = "done"
  }

  phase "work" {
    hosts   = control
    timeout = "30s"

    check "writable" {
      argv = ["test", "-w", "/tmp"]
    }
    step "write" {
      script      = "echo hello > /tmp/continuo-example"
      marks_start = ["begun"]
      marks       = ["done"]
      verify {
        argv = ["cat", "/tmp/continuo-example"]
        expect {
          condition = result.stdout == "hello"
          message   = "the note reads ${result.stdout}"
        }
      }
      rollback { argv = ["rm", "-f", "/tmp/continuo-example"] }
    }
  }

  cleanup {
    step "remove" {
      hosts      = control
      argv       = ["rm", "-f", "/tmp/continuo-example"]
      idempotent = true
      timeout    = "30s"
    }
  }
}
