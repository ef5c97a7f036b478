using System.Text.Json;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Estimates;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Tests.Estimates;

/// <summary>A host as it advertises itself and as it is. The ranking sees the offer alone.</summary>
internal sealed record SimulatedHost(Offer Offer, GpuPower Gpu, double Mbps, double BootSeconds, double BootFails, double LossesPerHour, double Pace)
{
    private static readonly JsonElement Truth = JsonDocument.Parse(typeof(SimulatedHost).Assembly.GetManifestResourceStream("hosts.json")!).RootElement;

    public static int OffersPerJob => Truth.GetProperty("offersPerJob").GetInt32();

    public static double HoursBetweenJobs => Truth.GetProperty("hoursBetweenJobs").GetDouble();

    /// <summary>Every host of one marketplace.</summary>
    public static IReadOnlyList<SimulatedHost> Draw(Random dice)
    {
        var gpus = Truth.GetProperty("gpus").EnumerateArray().ToList();
        var paces = gpus.Select(_ => Draw("paceOfGpu", dice)).ToList();
        return [.. Enumerable.Range(0, Truth.GetProperty("hosts").GetInt32()).Select(number =>
        {
            var kind = Kind(gpus, dice.NextDouble());
            return Draw(number, gpus[kind], paces[kind], dice);
        })];
    }

    /// <summary>A factor that is another one at each run.</summary>
    public static double PaceOfRun(Random dice) => Draw("paceOfRun", dice);

    private static SimulatedHost Draw(int number, JsonElement gpu, double paceOfGpu, Random dice)
    {
        var (advertised, losses) = (Draw("advertisedMbps", dice), Draw("lossesPerHour", dice));
        var said = Truth.GetProperty("reliabilitySaysOfLosses");
        var reliability = Math.Clamp(Math.Exp(-losses * said.GetProperty("hours").GetDouble()) + (said.GetProperty("noise").GetDouble() * Normal(dice)), 0.3, 0.999);
        var offer = new Offer
        {
            Id = $"{number}", MachineId = $"m{number}", GpuName = gpu.GetProperty("name").GetString()!, GpuCount = 1, VramMb = gpu.GetProperty("vramMb").GetInt32(), Rental = RentalType.OnDemand,
            GpuRate = HourlyRate.FromUsd((decimal)(gpu.GetProperty("usd").GetDouble() * Math.Exp(Truth.GetProperty("priceSpread").GetDouble() * Normal(dice)))),
            DiskRate = HourlyRate.FromUsd(80m * (decimal)Between("diskUsdPerGbMonth", dice) / 720m), StorageUsdPerGbMonth = 0,
            DownloadPerGb = Money.FromUsd((decimal)Between("trafficUsdPerGb", dice)), UploadPerGb = Money.FromUsd((decimal)Between("trafficUsdPerGb", dice)),
            DiskGb = 500, DownloadMbps = (decimal)advertised, UploadMbps = (decimal)(advertised / 2), DiskMbPerSecond = 2000, Reliability = (decimal)reliability,
        };
        return new SimulatedHost(
            offer, new GpuPower(gpu.GetProperty("tflops").GetDouble(), gpu.GetProperty("compute").GetDecimal()),
            advertised * Draw("wireOfAdvertised", dice), Draw("bootSecondsBeforeImage", dice), Math.Min(0.9, Draw("bootFails", dice)), losses, paceOfGpu * Draw("paceOfHost", dice));
    }

    private static int Kind(List<JsonElement> gpus, double at)
    {
        for (var kind = 0; kind < gpus.Count - 1; kind++)
        {
            at -= gpus[kind].GetProperty("share").GetDouble();
            if (at < 0)
            {
                return kind;
            }
        }

        return gpus.Count - 1;
    }

    private static double Draw(string what, Random dice) =>
        Truth.GetProperty(what).GetProperty("median").GetDouble() * Math.Exp(Truth.GetProperty(what).GetProperty("spread").GetDouble() * Normal(dice));

    private static double Between(string what, Random dice)
    {
        var (low, high) = (Truth.GetProperty(what).GetProperty("low").GetDouble(), Truth.GetProperty(what).GetProperty("high").GetDouble());
        return low + ((high - low) * dice.NextDouble());
    }

    private static double Normal(Random dice) => Math.Sqrt(-2 * Math.Log(1 - dice.NextDouble())) * Math.Cos(2 * Math.PI * dice.NextDouble());
}
