using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Web.Components;

namespace Dashboard.Web.Features.Costs;

/// <summary>What people call the parts of the ledger.</summary>
internal static class CostWords
{
    public static string Of(ChargeKind kind) => kind switch
    {
        ChargeKind.Gpu => "GPU",
        ChargeKind.Disk => "Disk",
        ChargeKind.Download => "Into the machine",
        ChargeKind.Upload => "Out of the machine",
        ChargeKind.Adjustment => "Correction",
    };

    public static string Of(CostGrain grain) => grain switch
    {
        CostGrain.Day => "day",
        CostGrain.Week => "week",
        CostGrain.Month => "month",
    };

    public static string Of(CostSplit split) => split switch
    {
        CostSplit.Project => "project",
        CostSplit.Person => "person",
        CostSplit.Job => "job",
        CostSplit.Gpu => "GPU",
        CostSplit.Provider => "provider",
        CostSplit.Kind => "kind",
        CostSplit.Tag => "tag",
    };

    public static string Title(CostSplit split) => split switch
    {
        CostSplit.Gpu => "GPU",
        CostSplit.Project or CostSplit.Person or CostSplit.Job or CostSplit.Provider or CostSplit.Kind or CostSplit.Tag => split.ToString(),
    };

    /// <summary>A job's tags as one row: each entry counts once, so rows add up.</summary>
    public static string Of(IReadOnlyList<string> tags) => tags.Count == 0 ? "no tag" : string.Join(" + ", tags.Order(StringComparer.Ordinal));

    public static string Of(Provider provider, bool simulated) => new Market(provider, "", simulated).Name;

    /// <summary>Time for what is billed by time, bytes for traffic.</summary>
    /// <param name="quantity">Seconds or bytes.</param>
    public static string Quantity(ChargeKind kind, decimal quantity) => kind switch
    {
        ChargeKind.Gpu or ChargeKind.Disk => Numbers.Duration(TimeSpan.FromSeconds((double)quantity)),
        ChargeKind.Download or ChargeKind.Upload => Numbers.Bytes((long)quantity),
        ChargeKind.Adjustment => "difference",
    };
}
