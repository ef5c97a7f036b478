using System.Globalization;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Costs.Reconciliation;

namespace Dashboard.Web.Features.Costs;

/// <summary>What to write to a provider about a charge: their ids, times in UTC, both figures. No name of ours, no label.</summary>
internal static class ClaimText
{
    public static string Of(BillRow line)
    {
        var kind = line.Kind switch
        {
            ChargeKind.Gpu => "GPU time",
            ChargeKind.Disk => "disk storage",
            ChargeKind.Download => "download traffic",
            ChargeKind.Upload => "upload traffic",
            ChargeKind.Adjustment => "other charges",
        };
        var text = new List<string>
        {
            $"Hello {line.Provider} support,",
            "",
            $"please check a charge for {kind} of machine {line.ContractId ?? "(id unknown)"} ({line.GpuName}) in {line.Month.ToString("MMMM yyyy", CultureInfo.InvariantCulture)}.",
            "",
            line.Theirs is { } theirs ? $"Charged: ${theirs} for {Span(line.TheirFrom, line.TheirUntil)}." : "Charged: nothing so far.",
            $"Expected: ${line.Ours}{(line.OurFrom is null ? ", we have no record of this use." : $" for {Span(line.OurFrom, line.OurUntil)}{(line.OurRate > HourlyRate.Zero ? $" at ${line.OurRate}" : "")}.")}",
            line.Difference is { } difference ? $"Difference: ${difference}." : "",
            "",
            Why(line),
            "",
            "All times are UTC, amounts US dollars. Please correct the charge or tell us what it is for.",
        };
        return string.Join('\n', text);
    }

    private static string Why(BillRow line) => line.Cause switch
    {
        DifferenceCause.AfterDestroy => $"The machine was destroyed, and the request accepted, at {At(line.OurUntil)}; it was charged until {At(line.TheirUntil)}.",
        DifferenceCause.WrongRate => line.TheirRate > HourlyRate.Zero ? $"It was rented at ${line.OurRate} and charged at ${line.TheirRate}." : $"It was rented at ${line.OurRate}, and the charge is not that rate for this time.",
        DifferenceCause.OtherTime => "The time charged is not the time the machine was reported as running.",
        DifferenceCause.Traffic => "This is more or less traffic than went over our connections to it.",
        DifferenceCause.MissingWithUs => "We have no record of using it in this way.",
        DifferenceCause.MissingWithThem => "We used it and have seen no charge for it.",
        DifferenceCause.None or DifferenceCause.Rounding or DifferenceCause.Seconds => "The amounts differ.",
    };

    private static string Span(DateTimeOffset? from, DateTimeOffset? until) => $"{At(from)} to {At(until)}";

    private static string At(DateTimeOffset? at) => at?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "an unknown time";
}
