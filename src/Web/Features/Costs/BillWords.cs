using Dashboard.Domain.Costs;
using Dashboard.Domain.Costs.Reconciliation;
using Dashboard.Web.Components;

namespace Dashboard.Web.Features.Costs;

/// <summary>What people call the states and causes of a reconciliation.</summary>
internal static class BillWords
{
    public static StatusFace Face(BillState state) => state switch
    {
        BillState.NotReported => new("off", Glyphs.Clock, "Not reported yet"),
        BillState.Matched => new("ok", Glyphs.CheckCircle, "Agrees"),
        BillState.Open => new("warn", Glyphs.Warning, "Open"),
        BillState.Explained => new("move", Glyphs.Check, "Explained"),
        BillState.Claimed => new("wait", Glyphs.Upload, "Claimed"),
        BillState.Accepted => new("off", Glyphs.Check, "Accepted"),
    };

    /// <summary>A sentence's worth, with the figures that say it.</summary>
    public static string Why(BillRow line) => line.Cause switch
    {
        DifferenceCause.None => line.State == BillState.NotReported ? "a missing row is not zero" : "",
        DifferenceCause.Rounding => "rounding",
        DifferenceCause.Seconds => "seconds at the ends",
        DifferenceCause.AfterDestroy => $"charged for {Numbers.Duration((line.TheirUntil - line.OurUntil) ?? TimeSpan.Zero)} after it was destroyed",
        DifferenceCause.WrongRate => line.TheirRate > HourlyRate.Zero && line.TheirRate != line.OurRate ? $"charged at {Numbers.Rate(line.TheirRate)}, rented at {Numbers.Rate(line.OurRate)}" : $"not {Numbers.Rate(line.OurRate)} for this time",
        DifferenceCause.OtherTime => "charged for another time than we saw",
        DifferenceCause.Traffic => "traffic that did not go over our connections, such as image and packages",
        DifferenceCause.MissingWithUs => "missing with us",
        DifferenceCause.MissingWithThem => "missing with them",
    };
}
