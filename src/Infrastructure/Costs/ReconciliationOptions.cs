using System.ComponentModel.DataAnnotations;

namespace Dashboard.Infrastructure.Costs;

/// <summary>How often a provider's bill is read. Section <c>Reconciliation</c>.</summary>
public sealed class ReconciliationOptions
{
    /// <summary>Time between two readings while nothing has ended. Default 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")] public TimeSpan Every { get; init; } = TimeSpan.FromHours(1);

    /// <summary>A machine's charges are looked for so long after it is gone, and again until they are reported. Default 2 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")] public TimeSpan AfterEnd { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>A month is read again for so long after its end: charges come late, and are corrected. Default 30 days.</summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "90.00:00:00")] public TimeSpan Watch { get; init; } = TimeSpan.FromDays(30);
}
