using System.Globalization;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;

namespace Dashboard.Web.Features.Jobs;

/// <summary>What a person has typed, as typed: text that does not read as a number stays where it is, with its problem beside it.</summary>
public sealed class JobDraft
{
    public string Preset { get; set; } = Presets.Smoke;

    public string Name { get; set; } = "";

    public string Script { get; set; } = "";

    /// <summary>Files to bring home, one per line.</summary>
    public string Collect { get; set; } = "";

    public ConnectionId ConnectionId { get; set; }

    public string? OfferId { get; set; }

    /// <summary>GPU models, comma separated; empty: any.</summary>
    public string Gpus { get; set; } = "";

    public string GpuCount { get; set; } = "1";

    /// <summary>Gigabytes as cards are sold.</summary>
    public string MinVram { get; set; } = "";

    public string Disk { get; set; } = "10";

    public string MaxCost { get; set; } = "";

    public string MaxRate { get; set; } = "";

    public string MaxHours { get; set; } = "";

    /// <summary>Whether machines are rented with a bid; else on demand.</summary>
    public bool WithBid { get; set; }

    /// <summary>USD per hour for the machine; empty: the usual one of each offer.</summary>
    public string Bid { get; set; } = "";

    public string OnDemandAfter { get; set; } = "";

    /// <summary>Hours from the start to the end at most.</summary>
    public string FinishHours { get; set; } = "";

    /// <summary>Whether it waits for a price; else it starts now.</summary>
    public bool AtAPrice { get; set; }

    /// <summary>USD per hour, GPU and disk.</summary>
    public string OrderLimit { get; set; } = "";

    /// <summary>Hours that the order is good for; empty: without end.</summary>
    public string OrderHours { get; set; } = "24";

    public OrderEnding OrderThen { get; set; }

    public string RetryCapacity { get; set; } = Plain(RetryPolicy.Default.Capacity);

    public string RetryMachine { get; set; } = Plain(RetryPolicy.Default.Machine);

    public string RetryInterruption { get; set; } = Plain(RetryPolicy.Default.Interruption);

    public string RetryScript { get; set; } = Plain(RetryPolicy.Default.Script);

    /// <summary>Minutes without a step; empty: the rule, 0: never.</summary>
    public string NoStepMinutes { get; set; } = "";

    public string MaxLoss { get; set; } = "";

    public ProjectId? ProjectId { get; set; }

    public string Tags { get; set; } = "";

    /// <summary>Said yes to after a budget was in the way.</summary>
    public bool MayPause { get; set; }

    /// <summary>Number of the waiting job that this one takes the place of; null: of none.</summary>
    public int? Replaces { get; set; }

    /// <summary>What the form does not show: kept from the job it was cloned from.</summary>
    public TrainingSpec Base { get; set; } = new() { Preset = Presets.Smoke };

    public static JobDraft CloneOf(JobView job, ConnectionId connection) => new()
    {
        Preset = job.Spec.Preset,
        Name = NextName(job.Name),
        Script = job.Spec.Command?.Script ?? "",
        Collect = string.Join('\n', job.Spec.Command?.Collect ?? []),
        ConnectionId = connection,
        Gpus = string.Join(", ", job.Needs.GpuNames),
        GpuCount = Plain(job.Needs.GpuCount),
        MinVram = job.Needs.MinVramMb is { } mb ? Plain(Math.Round(mb / 1024m)) : "",
        Disk = Plain(job.Spec.DiskGb),
        MaxCost = job.Limits.MaxCost is { } cost ? Plain(cost.Usd) : "",
        MaxRate = job.Limits.MaxRate is { } rate ? Plain(rate.Usd) : "",
        MaxHours = job.Limits.MaxRuntime is { } time ? Plain((decimal)time.TotalHours) : "",
        WithBid = job.Limits.Bid is not null,
        Bid = job.Limits.Bid?.Bid is { } bid ? Plain(bid.Usd) : "",
        OnDemandAfter = job.Limits.Bid?.OnDemandAfter is { } after ? Plain(after) : "",
        AtAPrice = job.Order is not null,
        OrderLimit = job.Order is { } order ? Plain(order.Limit.Usd) : "",
        OrderThen = job.Order?.Then ?? OrderEnding.Cancel,
        RetryCapacity = Plain(job.Limits.Retry.Capacity),
        RetryMachine = Plain(job.Limits.Retry.Machine),
        RetryInterruption = Plain(job.Limits.Retry.Interruption),
        RetryScript = Plain(job.Limits.Retry.Script),
        NoStepMinutes = job.Limits.Health.NoStepFor is { } silence ? Plain((decimal)silence.TotalMinutes) : "",
        MaxLoss = job.Limits.Health.MaxLoss is { } loss ? loss.ToString("0.######", CultureInfo.InvariantCulture) : "",
        ProjectId = job.ProjectId,
        Tags = string.Join(", ", job.Tags),
        Base = job.Spec,
    };

    /// <summary>The request, and what could not be read. The validator of the API says the rest.</summary>
    public (JobRequest Request, IReadOnlyList<FieldProblem> Problems) Read(string idempotencyKey)
    {
        var problems = new List<FieldProblem>();
        var request = new JobRequest
        {
            Name = Name,
            Spec = Base with
            {
                Preset = Preset,
                DiskGb = Number(Disk, "Spec.DiskGb", "Enter gigabytes, for example 10.", problems) ?? Base.DiskGb,
                Command = Preset == Presets.Command ? new CommandSpec(Script, Lines(Collect)) : null,
            },
            ConnectionId = ConnectionId,
            OfferId = OfferId,
            Needs = new MachineNeeds(
                Commas(Gpus),
                (int)(Number(GpuCount, "Needs.GpuCount", "Enter a whole number, for example 1.", problems) ?? 1),
                Number(MinVram, "Needs.MinVramMb", "Enter gigabytes, for example 24.", problems) is { } gb ? VramMb(gb) : null),
            Limits = new JobLimits(
                Number(MaxCost, "Limits.MaxCost", "Enter dollars, for example 4.50.", problems) is { } cost ? Money.FromUsd(cost) : null,
                Number(MaxRate, "Limits.MaxRate", "Enter dollars an hour, for example 0.80.", problems) is { } rate ? HourlyRate.FromUsd(rate) : null,
                Number(MaxHours, "Limits.MaxRuntime", "Enter hours, for example 12.", problems) is { } hours ? TimeSpan.FromSeconds((double)(hours * 3600)) : null)
            {
                Bid = WithBid
                    ? new BidPlan(
                        Number(Bid, "Limits.Bid.Bid", "Enter dollars an hour, for example 0.22.", problems) is { } bid ? HourlyRate.FromUsd(bid) : null,
                        (int?)Number(OnDemandAfter, "Limits.Bid.OnDemandAfter", "Enter a whole number, for example 3.", problems))
                    : null,
                Retry = new RetryPolicy(
                    Tries(RetryCapacity, "Limits.Retry.Capacity", RetryPolicy.Default.Capacity, problems),
                    Tries(RetryMachine, "Limits.Retry.Machine", RetryPolicy.Default.Machine, problems),
                    Tries(RetryInterruption, "Limits.Retry.Interruption", RetryPolicy.Default.Interruption, problems),
                    Tries(RetryScript, "Limits.Retry.Script", RetryPolicy.Default.Script, problems)),
                Health = new HealthLimits(
                    Number(NoStepMinutes, "Limits.Health.NoStepFor", "Enter minutes, for example 30.", problems) is { } minutes ? TimeSpan.FromSeconds((double)(minutes * 60)) : null,
                    (double?)Number(MaxLoss, "Limits.Health.MaxLoss", "Enter a loss, for example 8.", problems)),
            },
            Order = AtAPrice
                ? new OrderRequest(
                    Number(OrderLimit, "Order.Limit", "Enter dollars an hour, for example 0.35.", problems) is { } price ? HourlyRate.FromUsd(price) : HourlyRate.Zero,
                    Number(OrderHours, "Order.GoodFor", "Enter hours, for example 24.", problems) is { } good ? TimeSpan.FromSeconds((double)(good * 3600)) : null,
                    Until: null,
                    OrderThen)
                : null,
            FinishWithin = Number(FinishHours, "FinishWithin", "Enter hours, for example 24.", problems) is { } within ? TimeSpan.FromSeconds((double)(within * 3600)) : null,
            ProjectId = ProjectId,
            Tags = Commas(Tags),
            MayPause = MayPause,
            Replaces = Replaces,
            IdempotencyKey = idempotencyKey,
        };
        return (request, problems);
    }

    /// <summary>What the estimate depends on: typing a name asks no provider.</summary>
    public object QuoteKey => (Preset, ConnectionId, Gpus, GpuCount, MinVram, Disk, MaxRate, MaxHours, WithBid, WithBid ? Bid : "");

    private static int Tries(string text, string field, int usual, List<FieldProblem> problems) => (int)(Number(text, field, "Enter a whole number, for example 3.", problems) ?? usual);

    // "24 GB" cards report about 24,564 MB and some a little less: ask for a tenth less than the round figure.
    private static int VramMb(decimal gigabytes) => (int)Math.Clamp(gigabytes * 1024m * 0.9m, 0, int.MaxValue);

    private static string NextName(string name)
    {
        var cut = name.Length - 1;
        while (cut >= 0 && char.IsAsciiDigit(name[cut]))
        {
            cut--;
        }

        return int.TryParse(name.AsSpan(cut + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < int.MaxValue
            ? name[..(cut + 1)] + (number + 1).ToString(CultureInfo.InvariantCulture)
            : name + "-2";
    }

    private static decimal? Number(string text, string field, string message, List<FieldProblem> problems)
    {
        var typed = text.Trim().TrimStart('$');
        if (typed.Length == 0)
        {
            return null;
        }

        // Beyond this no figure of a job makes sense, and the arithmetic behind would overflow.
        if (decimal.TryParse(typed, NumberStyles.Number, CultureInfo.InvariantCulture, out var value) && Math.Abs(value) <= 1_000_000)
        {
            return value;
        }

        problems.Add(new FieldProblem(field, message));
        return null;
    }

    private static string Plain(decimal value) => value.ToString("0.######", CultureInfo.InvariantCulture);

    private static string[] Commas(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
