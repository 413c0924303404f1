# All expressions of a project together have a budget.
runbook "r" {
  locals {
    a = [for x in range(300) : [for y in range(300) : x * y]]
    b = [for x in range(300) : [for y in range(300) : x * y]]
    c = [for x in range(300) : [for y in range(300) : x * y]] # want CON-E018 "computes too much before anything runs"
    d = [for x in range(300) : [for y in range(300) : x * y]]
    e = [for x in range(300) : [for y in range(300) : x * y]]
    f = [for x in range(300) : [for y in range(300) : x * y]]
  }
  phase "p" {
    wait "w" {
      duration = "1s"
    }
  }
}
