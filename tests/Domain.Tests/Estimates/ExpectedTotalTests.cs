using Dashboard.Domain.Costs;
using Dashboard.Domain.Estimates;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Tests.Estimates;

public sealed class ExpectedTotalTests
{
    private static readonly Workload AnHour = new(ImageGb: 4, TimeSpan.FromHours(1)) { DownloadGb = 16, CollectGb = 0.5m };

    [Fact]
    public void The_parts_add_up_to_the_total_and_the_range_holds_it()
    {
        var total = ExpectedTotal.Of(AnHour, Offer("a", 0.4m));
        Assert.Equal(total.Total, total.Start + total.Train + total.DiskAndTraffic + total.Redo);
        Assert.Equal(total.Duration, total.Boot + total.Download + total.Training + total.Collect);
        Assert.InRange(total.Total.Micros, total.Low.Micros, total.High.Micros);
    }

    [Fact]
    public void The_gpu_is_not_billed_while_the_image_is_loaded_and_the_disk_is()
    {
        var small = ExpectedTotal.Of(AnHour, Offer("a", 0.4m));
        var large = ExpectedTotal.Of(AnHour with { ImageGb = 15 }, Offer("a", 0.4m));
        Assert.Equal(small.Start + small.Train, large.Start + large.Train);
        Assert.True(large.DiskAndTraffic > small.DiskAndTraffic);
    }

    [Fact]
    public void Fifteen_gigabytes_of_image_at_100_megabits_take_33_minutes_and_the_unpacking()
    {
        var boot = ExpectedTotal.BootTime(15, Offer("a", 0.4m) with { DownloadMbps = 100 });
        Assert.Equal(90 + 2000 + 625, boot.TotalSeconds, 1);
    }

    [Fact]
    public void Traffic_is_paid_both_ways()
    {
        var free = ExpectedTotal.Of(AnHour, Offer("a", 0.4m));
        var paid = ExpectedTotal.Of(AnHour, Offer("a", 0.4m) with { DownloadPerGb = Money.FromUsd(0.01m), UploadPerGb = Money.FromUsd(0.02m) });
        Assert.Equal(Money.FromUsd((20 * 0.01m) + (0.5m * 0.02m)), paid.DiskAndTraffic - free.DiskAndTraffic);
    }

    [Fact]
    public void The_lowest_rate_is_not_the_lowest_total_when_its_host_fails_half_of_its_runs()
    {
        var spec = new TrainingSpec { Preset = Presets.Command, Command = new CommandSpec("true", []) };
        var ranked = OfferRanking.Rank(spec, [Offer("frail", 0.30m, reliability: 0.5m), Offer("sound", 0.40m, reliability: 0.99m)], TimeSpan.FromHours(6));
        Assert.Equal(["sound", "frail"], ranked.Select(quote => quote.Offer.Id));
    }

    [Fact]
    public void A_host_behind_a_thin_wire_costs_the_hours_it_downloads()
    {
        var fast = ExpectedTotal.Of(AnHour, Offer("fast", 0.4m));
        var slow = ExpectedTotal.Of(AnHour, Offer("slow", 0.4m) with { DownloadMbps = 50 });
        Assert.True(slow.Start.Micros > 10 * fast.Start.Micros);
        Assert.True(slow.ReadyAfter > fast.ReadyAfter + TimeSpan.FromHours(1));
    }

    private static Offer Offer(string id, decimal gpuUsd, decimal reliability = 0.98m) => new()
    {
        Id = id, MachineId = id, GpuName = "RTX 4090", GpuCount = 1, VramMb = 24_564, Rental = RentalType.OnDemand, GpuRate = HourlyRate.FromUsd(gpuUsd), DiskRate = HourlyRate.FromUsd(0.012m),
        StorageUsdPerGbMonth = 0.1m, DownloadPerGb = Money.Zero, UploadPerGb = Money.Zero, DiskGb = 500, Reliability = reliability, DownloadMbps = 1_800, UploadMbps = 900,
    };
}
