/** Seconds of an ISO 8601 duration without days: `PT1M30.5S`. */
export function secondsOf(duration: string): number {
  const {
    hours = 0,
    minutes = 0,
    seconds = 0,
  } = /^PT(?:(?<hours>\d+)H)?(?:(?<minutes>\d+)M)?(?:(?<seconds>[\d.]+)S)?$/.exec(duration)?.groups ?? {}
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
}
