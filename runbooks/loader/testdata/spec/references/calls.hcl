# A call names a runbook; its items and outputs are read through it.
runbook "r" {
  objective "rto" {
    target = "15m"
    from   = "begin"
    to     = "child/done"
  }
  phase "p" {
    wait "w" {
      duration    = "1s"
      marks_start = ["begin"]
    }
    call "child" {
      runbook   = runbook.child
      variables = { name = "x" }
    }
    assert "a" {
      condition = call.child.step.act.ok && call.child.outputs.answer == "x"
    }
  }
}

runbook "child" {
  variable "name" {}
  output "answer" {
    value = step.act.stdout
  }
  phase "p" {
    step "act" {
      hosts = control
      argv  = ["echo", var.name]
      marks = ["done"]
    }
  }
}
