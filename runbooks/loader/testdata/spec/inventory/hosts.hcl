# Hosts, jump hosts, fleets from data, groups from expressions, locals for what they share.
project "p" {
  connection {
    user = "recovery"
    via  = host.bastion
  }
}

locals {
  domain = "example.org"
  web    = [for h in inventory : h if h.labels.tier == "web"]
}

secret "sudo" {
  env = "CONTINUO_SUDO"
}

host "bastion" {
  address = "bastion.${local.domain}"
}

host "web1.example.org" {
  address     = "2001:db8::1"
  port        = 2222
  site        = "b"
  environment = "lab"
  ci          = "CI-1"
  owner       = "web@example.org"
  labels      = { tier = "web" }
  connection {
    via               = host.bastion
    identity_files    = ["~/.ssh/recovery"]
    certificate_file  = "~/.ssh/recovery-cert.pub"
    agent             = "none"
    host_key_alias    = "web1"
    handshake_timeout = "20s"
    keepalive         = "15s"
    max_sessions      = 4
    plain             = false
  }
  become {
    method   = "sudo"
    password = secret.sudo
  }
}

fleet "db" {
  for_each = csvdecode("name,ip,site\ndb1,10.0.0.1,a\ndb2,10.0.0.2,b\n")
  name     = each.value.name
  address  = each.value.ip
  site     = each.value.site
  labels   = { tier = "db", number = each.key }
  connection {
    port = 2200 + each.key
  }
}

group "web" {
  hosts = local.web
}

group "all" {
  hosts = [group.web, group.db, host.db1, host["web1.example.org"], control]
}

runbook "r" {
  phase "p" {
    check "up" {
      hosts = [group.all, host.db2]
      argv  = ["true"]
    }
  }
}
