namespace Dashboard.Sandbox.Market;

/// <summary>What one contract costs over some time, in exact USD.</summary>
internal sealed record Bill(decimal Gpu, decimal Disk, decimal Download, decimal Upload)
{
    private const decimal BytesPerGb = 1_000_000_000m;

    public decimal Traffic => Download + Upload;

    public decimal Total => Gpu + Disk + Traffic;

    /// <summary>The bill of a contract between two instants. A function of recorded intervals, so it adds up however often it is asked.</summary>
    /// <param name="factor">Multiplies all money, so that short tests cost dollars; advertised prices stay as they are.</param>
    public static Bill Of(Contract contract, DateTimeOffset from, DateTimeOffset until, decimal factor)
    {
        var hours = contract.Traffic.Where(hour => hour.Hour.AddHours(1) > from && hour.Hour < until).ToList();
        return new Bill(
            factor * contract.GpuIntervals.Sum(interval => interval.Cost(from, until)),
            factor * contract.DiskIntervals.Sum(interval => interval.Cost(from, until)),
            factor * hours.Sum(hour => hour.DownBytes) / BytesPerGb * contract.DownloadCost,
            factor * hours.Sum(hour => hour.UpBytes) / BytesPerGb * contract.UploadCost);
    }
}
