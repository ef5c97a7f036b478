using System.Globalization;
using System.Numerics;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Http;

/// <summary>
/// The provider's own figures about each GPU model: how many, how many free, at which price. Drawn from the walk that prices the offers,
/// so a chart's last point and the offers of that moment agree. Prices are per GPU and hour.
/// </summary>
internal static class GpuMetrics
{
    private const int DefaultPoints = 20;
    private const int MostPoints = 500;
    private static readonly TimeSpan DefaultRange = TimeSpan.FromDays(1);
    private static readonly TimeSpan UsageRange = TimeSpan.FromDays(30);
    private static readonly string[] Everything = ["", "all"];

    /// <summary>GPUs of one machine at one moment.</summary>
    private sealed record Stock(Machine Machine, int Rented, decimal Price)
    {
        public int Available => Machine.GpuCount - Rented;
    }

    public static Reply History(LiveMarket live, IQueryCollection query) => live.Read((market, now) =>
    {
        var end = TimeIn(query["end"]) ?? now;
        end = end > now ? now : end; // nobody knows tomorrow's prices
        var start = TimeIn(query["start"]) ?? end - DefaultRange;
        if (start >= end)
        {
            return Reply.InvalidArguments("start must be before end.");
        }

        var step = double.TryParse(query["step"], CultureInfo.InvariantCulture, out var seconds) && seconds > 0 ? seconds : (end - start).TotalSeconds / (DefaultPoints - 1);
        step = Math.Max(step, (end - start).TotalSeconds / (MostPoints - 1));
        var points = Enumerable.Range(0, 1 + (int)Math.Floor((end - start).TotalSeconds / step)).Select(nth => end.AddSeconds(-nth * step)).Reverse().ToList();
        var present = Present(market, now);
        var gpus = new WireRow();
        foreach (var model in Chosen(market, query).GroupBy(machine => machine.Gpu.Name))
        {
            gpus[model.Key] = Series([.. model], points, (machine, at) => at >= now ? present[machine.Index] : Past(machine, market, at));
        }

        return Reply.Ok(new WireRow { ["success"] = true, ["gpus"] = gpus });
    });

    public static Reply Current(LiveMarket live, IQueryCollection query) => live.Read((market, now) =>
    {
        var present = Present(market, now);
        return Reply.Ok(new WireRow
        {
            ["success"] = true,
            ["gpus"] = Chosen(market, query).GroupBy(machine => machine.Gpu.Name).Select(model => Row(model.Key, [.. model], present, market, now)).ToArray(),
        });
    });

    private static IEnumerable<Machine> Chosen(RentalMarket market, IQueryCollection query)
    {
        var names = query["gpu_name"].ToString().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var (verified, hosting, count) = (query["verified"].ToString(), query["hosting_type"].ToString(), query["num_gpus"].ToString());
        return market.Park.Machines
            .Where(machine => names.Length == 0 || names.Contains(machine.Gpu.Name, StringComparer.OrdinalIgnoreCase))
            .Where(machine => Everything.Contains(verified) || machine.Verified == (verified == "yes"))
            .Where(machine => Everything.Contains(hosting) || machine.Datacenter == (hosting == "secure_cloud"))
            .Where(machine => Everything.Contains(count) || machine.GpuCount.ToString(CultureInfo.InvariantCulture) == count);
    }

    private static WireRow Series(IReadOnlyList<Machine> machines, IReadOnlyList<DateTimeOffset> points, Func<Machine, DateTimeOffset, Stock> stockOf)
    {
        var moments = points.Select(point => machines.Select(machine => stockOf(machine, point)).ToList()).ToList();
        var times = points.Select(point => point.ToUnixTimeSeconds()).ToArray();
        int[] Count(bool verified, Func<Stock, int> count) => [.. moments.Select(stocks => stocks.Where(stock => stock.Machine.Verified == verified).Sum(count))];
        decimal?[] Price(double rank, Func<Stock, int> count) => [.. moments.Select(stocks => Quantile(stocks, count, rank))];
        return new WireRow
        {
            ["supply_demand"] = new WireRow
            {
                ["timestamps"] = times,
                ["rented_verified"] = Count(true, stock => stock.Rented),
                ["avail_verified"] = Count(true, stock => stock.Available),
                ["rented_unverified"] = Count(false, stock => stock.Rented),
                ["avail_unverified"] = Count(false, stock => stock.Available),
                ["total"] = moments.Select(stocks => stocks.Sum(stock => stock.Machine.GpuCount)).ToArray(),
            },
            ["pricing"] = new WireRow
            {
                ["timestamps"] = times,
                ["rented_p10"] = Price(0.1, stock => stock.Rented),
                ["rented_median"] = Price(0.5, stock => stock.Rented),
                ["rented_p90"] = Price(0.9, stock => stock.Rented),
                ["avail_p10"] = Price(0.1, stock => stock.Available),
                ["avail_median"] = Price(0.5, stock => stock.Available),
                ["avail_p90"] = Price(0.9, stock => stock.Available),
            },
            ["stats"] = Value(machines[0], Quantile(moments[^1], stock => stock.Machine.GpuCount, 0.5)!.Value),
        };
    }

    private static WireRow Row(string name, IReadOnlyList<Machine> machines, Dictionary<int, Stock> present, RentalMarket market, DateTimeOffset now)
    {
        var stocks = machines.Select(machine => present[machine.Index]).ToList();
        var total = stocks.Sum(stock => stock.Machine.GpuCount);
        int Count(bool verified, Func<Stock, int> count) => stocks.Where(stock => stock.Machine.Verified == verified).Sum(count);
        decimal? Price(double rank) => Quantile(stocks, stock => stock.Machine.GpuCount, rank);
        var month = Enumerable.Range(0, DefaultPoints).Select(nth => now - (UsageRange * nth / DefaultPoints)).ToList();
        var row = new WireRow
        {
            ["gpu_name"] = name,
            ["total"] = total,
            ["available"] = stocks.Sum(stock => stock.Available),
            ["rented_verified"] = Count(true, stock => stock.Rented),
            ["avail_verified"] = Count(true, stock => stock.Available),
            ["rented_unverified"] = Count(false, stock => stock.Rented),
            ["avail_unverified"] = Count(false, stock => stock.Available),
            ["usage"] = Math.Round((double)stocks.Sum(stock => stock.Rented) / total, 4),
            ["usage_30d"] = Math.Round(month.Average(at => (double)machines.Sum(machine => Past(machine, market, at).Rented) / total), 4),
            ["price_p10"] = Price(0.1),
            ["price_p25"] = Price(0.25),
            ["price_median"] = Price(0.5),
            ["price_p75"] = Price(0.75),
            ["price_p90"] = Price(0.9),
        };
        foreach (var (field, value) in Value(machines[0], Price(0.5)!.Value))
        {
            row[field] = value;
        }

        return row;
    }

    /// <summary>All machines as the offers of this moment show them, whatever renters and the controls have done to them.</summary>
    private static Dictionary<int, Stock> Present(RentalMarket market, DateTimeOffset now) => market.Offers(OfferKind.OnDemand, 0, now)
        .Where(offer => offer.Slice.GpuCount == 1)
        .GroupBy(offer => offer.Machine.Index)
        .ToDictionary(machine => machine.Key, machine => new Stock(machine.First().Machine, machine.Count(offer => !offer.Rentable), machine.First().GpuPerHour));

    /// <summary>A machine at an earlier moment, as the walk alone would have it.</summary>
    private static Stock Past(Machine machine, RentalMarket market, DateTimeOffset at)
    {
        var moment = market.State.Pace.At(at);
        return new Stock(machine, BitOperations.PopCount(market.Demand.RentedByOthers(machine, moment)), market.Demand.PricePerGpu(machine, moment));
    }

    // Each GPU counts once; null when there is none.
    private static decimal? Quantile(IEnumerable<Stock> stocks, Func<Stock, int> count, double rank)
    {
        var prices = stocks.SelectMany(stock => Enumerable.Repeat(stock.Price, count(stock))).Order().ToList();
        return prices.Count == 0 ? null : prices[(int)Math.Floor(rank * (prices.Count - 1))];
    }

    private static WireRow Value(Machine machine, decimal price)
    {
        var hardware = OfferRows.Hardware(machine, machine.Slices.First(slice => slice.GpuCount == 1), price);
        return new WireRow
        {
            ["tflops"] = hardware["total_flops"],
            ["dlperf"] = hardware["dlperf"],
            ["tflops_per_dollar"] = hardware["flops_per_dphtotal"],
            ["dlperf_per_dollar"] = hardware["dlperf_per_dphtotal"],
        };
    }

    private static DateTimeOffset? TimeIn(string? text) => double.TryParse(text, CultureInfo.InvariantCulture, out var seconds) && double.IsFinite(seconds) ? WireTime.FromUnix(seconds) : null;
}
