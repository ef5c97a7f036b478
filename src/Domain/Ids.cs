namespace Dashboard.Domain;

/// <summary>A team; everything a team owns carries it.</summary>
public readonly record struct TeamId(Guid Value) { public override string ToString() => Value.ToString(); }

/// <summary>A person with an account on this dashboard.</summary>
public readonly record struct UserId(Guid Value) { public override string ToString() => Value.ToString(); }

/// <summary>A team's account at a provider.</summary>
public readonly record struct ConnectionId(Guid Value) { public override string ToString() => Value.ToString(); }

/// <summary>What spending is attributed to inside a team.</summary>
public readonly record struct ProjectId(Guid Value) { public override string ToString() => Value.ToString(); }

/// <summary>What a person asked for. People see the per-team number instead.</summary>
public readonly record struct JobId(Guid Value) { public override string ToString() => Value.ToString(); }

/// <summary>One try of a job on one instance.</summary>
public readonly record struct AttemptId(Guid Value) { public override string ToString() => Value.ToString(); }

/// <summary>Our row of one rent call. The provider's own id is the contract id.</summary>
public readonly record struct InstanceId(Guid Value) { public override string ToString() => Value.ToString(); }

/// <summary>A condition that a team wants to be told of.</summary>
public readonly record struct AlertRuleId(Guid Value) { public override string ToString() => Value.ToString(); }

/// <summary>A way out to people: a mailbox, a chat room, a web hook.</summary>
public readonly record struct ChannelId(Guid Value) { public override string ToString() => Value.ToString(); }

/// <summary>A limit on spending.</summary>
public readonly record struct BudgetId(Guid Value) { public override string ToString() => Value.ToString(); }
