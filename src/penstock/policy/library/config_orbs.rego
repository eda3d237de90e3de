# Which orbs a config may import.
package circleci.config

import data.circleci.utils
import rego.v1

# The version of each imported orb by its name.
orbs[name] := version if {
	some reference in input.orbs
	[name, version] := split(reference, "@")
}

# Violations for each imported orb of the list, whatever its version.
ban_orbs(names) := object.union(
	{name: orb_ban_message(name) |
		some name in names
		some reference in input.orbs
		startswith(reference, concat("", [name, "@"]))
	},
	orb_riddles,
)

# Violations for each imported orb of the list, which names versions: "namespace/orb@1.2.3".
ban_orbs_version(references) := object.union(
	{reference: orb_ban_message(reference) |
		some reference in references
		reference in [used | some used in input.orbs]
	},
	orb_riddles,
)

# Violations for each imported orb whose name is not in the set.
orbs_allowlist(names) := {reference: orb_ban_message(name) |
	some reference in input.orbs
	[name, _] := split(reference, "@")
	not names[name]
}

orb_ban_message(name) := sprintf("%s orb is not allowed in CircleCI configuration", [name])

# An orb whose name comes from a parameter cannot be told from a banned one.
orb_riddles := {reference: message |
	some reference in object.get(input, "orbs", {})
	utils.is_parameterized_expression(reference)
	message := sprintf("invalid orb: %s - parameterized orbs are disallowed", [reference])
}
