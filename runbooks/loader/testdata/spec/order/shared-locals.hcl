# Locals of the project may need what only one of its runbooks has, or what only some places have.
locals {
  site    = "b"
  here    = [for h in inventory : h if h.site == local.site]
  lagging = "${check.state.lag} s behind on ${self.name}"
  over    = check.state.lag > var.limit
  odd     = var.count % 2 == 1
  shown   = "${local.odd ? "odd" : "even"}: ${each.key}"
  token   = secret.token
  free    = result.free == results["db"].free
}

secret "token" { env = "TOKEN" }

host "db" {
  address = "10.0.0.1"
  site    = "b"
}

group "here" { hosts = local.here }

runbook "one" {
  variable "limit" { default = 30 }
  phase "look" {
    check "state" {
      hosts = host.db
      argv  = ["cat", "/run/lag"]
      capture "lag" {
        value = result.stdout
        type  = number
      }
    }
  }
}

runbook "two" {
  variable "count" { default = 3 }
  variable "limit" { default = "none" } # of another type: the local is the other runbook's
  phase "look" {
    check "there" {
      hosts = group.here
      argv  = ["true"]
    }
  }
}
