using System.Security.Cryptography;
using System.Text;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Http;

/// <summary>The sandbox's own truth, for tests that compare the product's books with it. Exists only with <c>--control</c>.</summary>
internal static class ControlEndpoints
{
    public const string TokenHeader = "X-Control-Token";

    public static void MapControl(this IEndpointRouteBuilder app, string token)
    {
        var control = app.MapGroup("/sandbox/control").AddEndpointFilter(async (context, next) =>
            CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(context.HttpContext.Request.Headers[TokenHeader].ToString()), Encoding.UTF8.GetBytes(token))
                ? await next(context)
                : Reply.Failure(StatusCodes.Status403Forbidden, "auth_error", $"{TokenHeader} is missing or wrong."));
        control.MapSwitches();
        control.MapFaults();
        control.MapGet("/truth", (LiveMarket live, RequestLog requests, Accounts accounts, FaultBoard faults, bool? log) => live.Read((market, now) => Reply.Ok(new WireRow
        {
            ["now"] = now.ToUnix(),
            ["living"] = market.Living.Count,
            ["credit"] = market.Credit(now),
            ["billing_factor"] = market.Settings.BillingFactor,
            ["rent_calls"] = new Dictionary<string, int>(market.State.RentCalls), // the answer is written after the lock is given back
            ["instances"] = market.State.Contracts.Select(contract => Truth(market, contract, now)).ToArray(),
            ["accounts"] = accounts.All.Select(account => new WireRow
            {
                ["id"] = account.Id,
                ["name"] = account.Name,
                ["credit"] = market.Credit(now, account.Id),
                ["granted"] = market.Granted(account.Id),
                ["keys"] = accounts.Keys.Where(key => key.AccountId == account.Id).Select(key => new WireRow
                {
                    ["id"] = key.Id,
                    ["name"] = key.Name,
                    ["permissions"] = key.Permissions,
                    ["standing"] = key.Standing.ToString(),
                }).ToArray(),
            }).ToArray(),
            ["faults"] = faults.All.Select(FaultEndpoints.Row).ToArray(),
            ["requests"] = log == false ? [] : requests.All().Select(Logged).ToArray(),
        })));
        control.MapGet("/requests", (RequestLog requests, double? since) => Reply.Ok(new WireRow
        {
            ["requests"] = requests.All().Where(request => request.At.ToUnix() >= (since ?? 0)).Select(Logged).ToArray(),
        }));
        control.MapInstanceFaults();
        control.MapGet("/instances/{id:int}/root", (int id, LiveMarket live) => live.Fleet.FolderOf(id) is { Exists: true } folder
            ? Reply.Ok(new WireRow { ["root"] = folder.FileSystem })
            : Reply.NoSuchInstance(id));
    }

    private static WireRow Logged(LoggedRequest request) => new()
    {
        ["at"] = request.At.ToUnix(),
        ["method"] = request.Method,
        ["path"] = request.Path,
        ["status"] = request.Status,
        ["key_id"] = request.KeyId,
        ["faults"] = request.Faults,
    };

    private static WireRow Truth(RentalMarket market, Contract contract, DateTimeOffset now)
    {
        var bill = market.BillOf(contract, now);
        return new WireRow
        {
            ["id"] = contract.Id,
            ["account_id"] = contract.AccountId,
            ["ask_id"] = contract.AskId,
            ["label"] = contract.Label,
            ["machine_id"] = market.MachineOf(contract).MachineId,
            ["gpu_name"] = market.MachineOf(contract).Gpu.Name,
            ["num_gpus"] = market.SliceOf(contract).GpuCount,
            ["phase"] = contract.Phase.ToString(),
            ["image"] = contract.Image,
            ["is_bid"] = contract.IsBid,
            ["created"] = contract.CreatedAt.ToUnix(),
            ["ends"] = contract.EndsAt.ToUnix(),
            ["destroyed"] = contract.DestroyedAt?.ToUnix(),
            ["running"] = contract.GpuIntervals.Select(Interval).ToArray(),
            ["disk_billed"] = contract.DiskIntervals.Select(Interval).ToArray(),
            ["rates"] = new WireRow
            {
                ["gpu_per_hour"] = contract.GpuPerHour,
                ["disk_per_hour"] = contract.DiskPerHour,
                ["disk_gb"] = contract.DiskGb,
                ["storage_cost"] = contract.StorageCost,
                ["inet_up_cost"] = contract.UploadCost,
                ["inet_down_cost"] = contract.DownloadCost,
            },
            ["traffic"] = new WireRow { ["up_bytes"] = contract.Traffic.Sum(hour => hour.UpBytes), ["down_bytes"] = contract.Traffic.Sum(hour => hour.DownBytes) },
            ["bill"] = new WireRow { ["gpu"] = bill.Gpu, ["disk"] = bill.Disk, ["traffic"] = bill.Traffic, ["total"] = bill.Total },
        };
    }

    private static WireRow Interval(BilledInterval interval) => new() { ["start"] = interval.Start.ToUnix(), ["end"] = interval.End?.ToUnix() };
}
