using Dashboard.Domain.Costs;
using Dashboard.Domain.Teams;

namespace Dashboard.Domain.Inbox;

/// <summary>Something that needs a person: one line what, one line why and what it costs, one action. Lists show money at risk first, then what waits longest.</summary>
public sealed class InboxItem
{
    public long Id { get; init; }

    public required TeamId TeamId { get; init; }

    /// <summary>Stable word, see <see cref="InboxKinds"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>Merges repeats: one open item per key. Ends with the id of what it is about: <c>destroy/…</c>.</summary>
    public required string Key { get; init; }

    public required string Title { get; set; }

    public required Said Detail { get; set; }

    /// <summary>Address below the team's, of the page with the action.</summary>
    public string? Link { get; set; }

    public string? Action { get; set; }

    /// <summary>What goes on being spent an hour while nobody acts.</summary>
    public HourlyRate AtRisk { get; set; }

    /// <summary>Money or work is being lost now: said at once, to everybody.</summary>
    public bool Critical { get; set; }

    /// <summary>What a person must be allowed, to read it.</summary>
    public Permission Needs { get; init; } = Permission.See;

    /// <summary>Who may read it besides.</summary>
    public UserId? AlsoFor { get; init; }

    /// <summary>When it was first said.</summary>
    public DateTimeOffset Since { get; init; }

    /// <summary>When it was last said.</summary>
    public required DateTimeOffset At { get; set; }

    /// <summary>Out of sight until then.</summary>
    public DateTimeOffset? SnoozedUntil { get; set; }

    public DateTimeOffset? ResolvedAt { get; set; }

    /// <summary>Null: its cause went away by itself.</summary>
    public UserId? ResolvedBy { get; set; }

    /// <summary>A person's reason.</summary>
    public string? Resolution { get; set; }
}

/// <summary>Kinds of <see cref="InboxItem"/>.</summary>
public static class InboxKinds
{
    public const string JobEnded = "job-failed";

    /// <summary>Due and not moved by any step.</summary>
    public const string JobStuck = "job-stuck";
    public const string Budget = "budget";
    public const string KeyRefused = "key-refused";
    public const string DestroyUnconfirmed = "destroy-unconfirmed";
    public const string ForeignMachine = "foreign-machine";
    public const string ContractEnds = "contract-ends";
    public const string BalanceLow = "balance-low";
    public const string HostKey = "host-key";
    public const string PriceAlert = "price-alert";
    public const string RateAboveQuote = "rate-above-quote";
    public const string WrongRental = "wrong-rental";
    public const string TrafficSpike = "traffic-spike";
    public const string IdleGpu = "idle-gpu";

    /// <summary>A day that costs far more than such a weekday does.</summary>
    public const string SpendUnusual = "spend-unusual";

    /// <summary>What is off about one machine; the key ends with its id.</summary>
    public static IReadOnlyList<string> OfMachines { get; } = [RateAboveQuote, WrongRental, TrafficSpike, IdleGpu];

    /// <summary>An alert rule fires.</summary>
    public const string Alert = "alert";

    /// <summary>A channel does not take messages.</summary>
    public const string ChannelFails = "channel-fails";

    /// <summary>Charges of a machine with our label that no record knows.</summary>
    public const string ForgottenRental = "forgotten-rental";

    /// <summary>A job is above its person's money limit, and waits.</summary>
    public const string Approval = "approval";

    /// <summary>What a person must be allowed, to read of such a thing: what a team has and spends is not for everybody. An alert needs what its rule needs.</summary>
    public static Permission Needs(string kind) => kind switch
    {
        Approval => Permission.ApproveJobs,
        Budget or BalanceLow or ForeignMachine or ForgottenRental or RateAboveQuote or SpendUnusual => Permission.SeeMoney,
        _ => Permission.See,
    };
}

/// <summary>A message to people, written in the same transaction as its cause and delivered at least once; the dashboard's own channel delivers it exactly once.</summary>
public sealed class OutboxMessage
{
    public long Id { get; init; }

    public required TeamId TeamId { get; init; }

    /// <summary>What is announced, see <see cref="OutboxKinds"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>Unique: the same cause announces itself once. Receivers drop repeats by it.</summary>
    public required string DedupKey { get; init; }

    /// <summary>Ids only, as JSON.</summary>
    public required string Payload { get; init; }

    public required DateTimeOffset At { get; init; }

    public DateTimeOffset? SentAt { get; set; }

    /// <summary>Deliveries begun; counted before, so that one that ends the process counts too.</summary>
    public int Tries { get; set; }

    /// <summary>Who delivers it has it until then; null: nobody.</summary>
    public DateTimeOffset? LeaseUntil { get; set; }

    /// <summary>Not before; null: at once.</summary>
    public DateTimeOffset? NextTryAt { get; set; }

    /// <summary>Why the last delivery failed.</summary>
    public string? Problem { get; set; }

    /// <summary>Given up; a person may send it again.</summary>
    public DateTimeOffset? DeadAt { get; set; }
}

/// <summary>Kinds of <see cref="OutboxMessage"/>.</summary>
public static class OutboxKinds
{
    public const string JobSubmitted = "job.submitted";
    public const string JobEnded = "job.ended";
    public const string BudgetReached = "budget.reached";

    /// <summary>A share of a limit is spent.</summary>
    public const string BudgetStep = "budget.step";
    public const string KeyRefused = "key.refused";
    public const string DestroyUnconfirmed = "destroy.unconfirmed";

    /// <summary>A job that waited for its price has found a machine.</summary>
    public const string OrderFired = "price-order.fired";

    /// <summary>The time of its order has passed, and the job goes on.</summary>
    public const string OrderOver = "price-order.over";

    /// <summary>A job is above its person's money limit, and waits.</summary>
    public const string ApprovalAsked = "job.approval-asked";

    /// <summary>Somebody said yes or no to it.</summary>
    public const string ApprovalDecided = "job.approval-decided";

    /// <summary>An inbox item of the kinds that nothing else announces was opened, or became critical.</summary>
    public const string Trouble = "trouble";
    public const string PriceReached = "price.reached";
    public const string PriceOver = "price.over";

    /// <summary>An alert rule has moved to Firing or to Resolved.</summary>
    public const string AlertMoved = "alert.moved";
}

/// <summary>News for the people of a team, as delivered by the dashboard's own channel: one per message.</summary>
public sealed class Notice
{
    public long Id { get; init; }

    public required TeamId TeamId { get; init; }

    public required long MessageId { get; init; }

    /// <summary>That of the message.</summary>
    public required string Kind { get; init; }

    /// <summary>Colour token: <c>ok, warn, bad, off</c>.</summary>
    public required string Tone { get; init; }

    public required string Title { get; init; }

    public required Said Detail { get; init; }

    /// <summary>Address below the team's.</summary>
    public string? Link { get; init; }

    /// <summary>What a person must be allowed, to read it.</summary>
    public Permission Needs { get; init; } = Permission.See;

    public required DateTimeOffset At { get; init; }
}
